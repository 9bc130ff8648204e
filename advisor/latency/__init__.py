"""How long a model takes on hardware that is not here: operators in, an interval out, and how wrong it has been."""
