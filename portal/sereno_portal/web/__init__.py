"""What all pages share: languages, themes, safe rendering, who asks."""
