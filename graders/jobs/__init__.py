"""What a fine-tuning job would take and whether its service would have it, before it is started."""
