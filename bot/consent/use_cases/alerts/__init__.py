"""What Slack is told of: alerts from their enqueueing to the outbox."""
