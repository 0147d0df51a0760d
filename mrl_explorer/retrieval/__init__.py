"""Configurations, the sweep that ranks them, their ranked lists and the measures of these."""
