"""`/v1/fine_tuning/jobs`: jobs that are linted and planned, and train nothing."""
