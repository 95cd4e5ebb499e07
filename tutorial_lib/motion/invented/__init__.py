"""People who never were: proportions, habits and everyday actions, computed and not recorded."""
