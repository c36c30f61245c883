"""From Alertmanager's pages to incident records, timelines and postmortem drafts."""
