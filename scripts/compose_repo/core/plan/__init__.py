"""What is to be written on a compose's merge request."""
