"""What runs the bot: the web server, Socket Mode and background jobs."""
