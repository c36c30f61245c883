"""Why a call of AWS failed, in the frame's words; and which failures are throttling, which passes."""

import botocore.exceptions  # type: ignore[import-untyped]
import botocore.parsers  # type: ignore[import-untyped]

from sereno_exporters.frame.trouble import FetchError, Reason

_THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestLimitExceeded",
     "TooManyRequestsException", "RequestThrottledException", "LimitExceeded", "SlowDown", "429"}
)  # fmt: skip
_REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
     "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken",
     "NotAuthorized", "OptInRequired", "RequestExpired", "SignatureDoesNotMatch",
     "UnauthorizedOperation", "UnrecognizedClientException"}
)  # fmt: skip
_SERVER_ERROR = 500
_REDIRECTED = range(300, 400)


def failure_of(api: str, error: Exception) -> FetchError | None:
    """Why a call failed; None where AWS throttles."""
    if isinstance(error, FetchError):
        return error
    if isinstance(error, botocore.exceptions.ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return None if code in _THROTTLED or status == 429 else _refusal(api, code, status, str(error))  # noqa: PLR2004
    if isinstance(error, botocore.parsers.ResponseParserError):
        return FetchError(Reason.GARBAGE, f"{api} answers what is not CloudWatch's: {_line(error)}")
    if isinstance(error, botocore.exceptions.BotoCoreError):
        return FetchError(Reason.REFUSED, f"{api} can't be called: {_line(error)}")
    return FetchError(Reason.GARBAGE, f"{api} answers what can't be read: {type(error).__name__}: {_line(error)}")


def _refusal(api: str, code: str, status: int, message: str) -> FetchError:
    if code in _REFUSED:
        return FetchError(Reason.REFUSED, f"AWS refuses {api} ({code}); allow cloudwatch:{api}, and check the key")
    if status in _REDIRECTED:
        return FetchError(Reason.GARBAGE, f"{api} is answered with a redirect ({status}): is this CloudWatch?")
    if status >= _SERVER_ERROR:
        return FetchError(Reason.ERROR, f"{api} is answered with {status} ({code})")
    return FetchError(Reason.CONFIGURATION, f"CloudWatch doesn't accept {api}: {_line(message)}")


def _line(text: object) -> str:
    return " ".join(str(text).split())[:200]
