"""What error budgets cost: samples that rules read, and a thousand SLOs on one running Prometheus."""
