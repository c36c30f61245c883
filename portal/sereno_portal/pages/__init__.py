"""The pages, a module each: `router(portal)` has the HTML at its address, and the same as JSON below `/api/v1`."""
