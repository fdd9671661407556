"""The routes of REST API v4, a module for each noun."""
