"""Outbound webhooks: signing an event and delivering it to an endpoint of the company's own."""
