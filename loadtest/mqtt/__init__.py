"""MQTT 3.1.1 between publishers and a broker, without a library: for thousands of connections."""
