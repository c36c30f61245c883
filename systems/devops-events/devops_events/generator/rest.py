"""The REST of the platforms: /github/repos/acme/shop/commits, and so on, from what they have told."""

from collections.abc import Mapping

from fastapi import FastAPI, HTTPException, Response
from sereno_backends.inert_json import InertJson

from devops_events.generator.happenings import Past
from devops_events.generator.platforms import PLATFORMS


def add_rest(app: FastAPI, pasts: Mapping[str, Past]) -> None:
    """Answer as each platform does, below its name."""

    @app.get("/{platform}/{path:path}")
    def asked(platform: str, path: str) -> Response:
        """What a platform tells of its newest commits, pull requests and pipelines."""
        if platform not in PLATFORMS:
            raise HTTPException(404, f"there is no platform {platform[:60]!r}; there are: {', '.join(PLATFORMS)}")
        # A copy, which the thread that sends can't change meanwhile, is made by each list.
        answers = PLATFORMS[platform].rest(pasts[platform])
        found = answers.get(path.strip("/"))
        if found is None:
            raise HTTPException(404, f"there is nothing; there are: {', '.join(sorted(answers))}")
        return InertJson(found)
