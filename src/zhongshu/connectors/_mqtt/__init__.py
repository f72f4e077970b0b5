"""What the MQTT protocols share: finding the broker, and one session that comes back by itself."""
