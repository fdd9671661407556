"""The message bus: the only place that knows fedora-messaging, and what runs below it."""
