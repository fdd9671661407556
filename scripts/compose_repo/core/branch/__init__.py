"""A compose's branch: its commits, who made them, and what they did to the results."""
