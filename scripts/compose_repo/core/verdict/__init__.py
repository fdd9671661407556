"""From results and rules to a decision."""
