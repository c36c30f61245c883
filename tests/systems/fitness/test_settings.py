"""Variables with each program's prefix; secrets stand by themselves, and in addresses by a placeholder."""

from fitness.metrics_consumer.settings import read_settings as read_consumer
from fitness.users.settings import read_settings as read_users
from reference_system.settings import WrongSettings

RIGHT = {
    "USERS_DATABASE_URL": "postgresql://users:{password}@db/fitness",
    "USERS_DATABASE_PASSWORD": "pässword/of it",
    "USERS_REDIS_URL": "redis://queue:6379/0",
    "USERS_JWT_KEY": "x" * 32,
    "USERS_ADMIN_PASSWORD": "long enough",
}


def test_a_password_takes_its_place_in_the_address() -> None:
    """Quoted, so that nothing in it is read as a part of the address."""
    settings = read_users(RIGHT)
    assert not isinstance(settings, WrongSettings)
    assert settings.database_url == "postgresql://users:p%C3%A4ssword%2Fof%20it@db/fitness"


def test_every_mistake_is_told_at_once_and_no_secret_is_shown() -> None:
    """A placeholder without its secret, a secret without its place, a key that is too short."""
    wrong = {**RIGHT, "USERS_JWT_KEY": "short", "USERS_REDIS_PASSWORD": "hidden", "USERS_ADMIN_PASSWORD": "tiny"}
    del wrong["USERS_DATABASE_PASSWORD"]
    settings = read_users(wrong)
    assert isinstance(settings, WrongSettings)
    assert len(settings.mistakes) == 4
    told = "\n".join(settings.mistakes)
    assert "USERS_DATABASE_PASSWORD is not set" in told
    assert "has 5 bytes: set it to a secret of at least 32" in told
    assert "hidden" not in told
    assert "tiny" not in told


def test_a_consumer_has_a_name_that_outlives_it() -> None:
    """What it had taken is under that name."""
    settings = read_consumer(
        {
            "METRICS_CONSUMER_DATABASE_URL": "postgresql://h/d",
            "METRICS_CONSUMER_REDIS_URL": "redis://h",
            "METRICS_CONSUMER_NAME": "A B",
        }
    )
    assert isinstance(settings, WrongSettings)
    assert "METRICS_CONSUMER_NAME=A B" in settings.mistakes[0]
