"""The hosted API on your own machine: HTTP routes over what the other packages do."""
