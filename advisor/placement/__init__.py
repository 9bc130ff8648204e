"""Where to run it: every variant, instance, region, count and batch under a latency budget, ranked and explained."""
