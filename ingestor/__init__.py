"""Sensor readings from AWS IoT through SQS into InfluxDB, enriched from DynamoDB."""
