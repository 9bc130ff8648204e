"""What compression techniques share: looks at a graph and its weights, and cuts into both."""
