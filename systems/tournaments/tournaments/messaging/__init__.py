"""RabbitMQ as the services use it: questions that are answered in time, and events that are lost nowhere."""
