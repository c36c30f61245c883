"""`system.yaml`: its words, each with its mistake and cure."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from sereno_backends.grammar import Grammar, mistake

from sereno_cli.demo.backing import BACKINGS
from sereno_cli.demo.systems.words import known_words, words_of

_Place = tuple[str | int, ...]
_Trouble = tuple[_Place, PydanticCustomError]


def _version(text: str) -> str:
    if text != "sereno/v1":
        raise mistake("SLO010", f"version {text!r} is not known", "write version: sereno/v1")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", text):
        better = "-".join(re.findall(r"[a-z0-9]+", text.lower())) or "api"
        raise mistake("SLO011", f"{text!r} is no name: names are lower-case words with hyphens", f"write {better}")
    return text


Name = Annotated[str, AfterValidator(_name)]


def _need(text: str) -> str:
    if text not in BACKINGS:
        raise mistake("SLO006", f"{text} is no server that the demo can start", f"there are: {', '.join(BACKINGS)}")
    return text


Text = Annotated[str, Field(min_length=1)]
Need = Annotated[str, AfterValidator(_need)]


class ScrapeDocument(Grammar):
    """Where Prometheus finds a program's metrics."""

    job: Name = Field(examples=["transactions-api"])
    port: Name = Field(examples=["api"])


class ProgramDocument(Grammar):
    """One process."""

    module: Text = Field(description="What `python -m` runs", examples=["transactions_api"])
    arguments: tuple[str, ...] = Field((), strict=False)
    ports: dict[Name, Text] = Field({}, description="Each port's name, and the variable that tells it to the program")
    environment: dict[str, str] = Field({})
    templates: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Files of the system's folder that are written into ${files} with their words said",
    )
    log: Text | None = Field(None, description="The variable that tells where its ECS log goes")
    healthy: Text | None = Field(None, examples=["http://127.0.0.1:${api}/health"])
    scrape: ScrapeDocument | None = None


class LoadDocument(Grammar):
    """Who uses the system."""

    module: Text = Field(examples=["transactions_api.load"])
    arguments: tuple[str, ...] = Field((), strict=False)


class SwitchDocument(Grammar):
    """How a fault is switched: by a program's own admin API, or by what is done to a program or server."""

    program: Name | None = Field(None, examples=["transactions-api"])
    server: Name | None = Field(None, examples=["redis"])
    fault: Name | None = Field(None, description="What its admin API calls the fault, where that is another name")
    do: Literal["stop", "freeze"] | None = Field(
        None, description="To the program or server; else its admin API is told"
    )
    port: Name = Field("admin", examples=["admin"])
    parameters: dict[Name, float] = Field({}, strict=False, examples=[{"ratio": 0.6}])

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.program is None) == (self.server is None):
            raise mistake("SLO006", "a fault is of a program or of a server", "write program: … or server: …")
        if self.server is not None and self.do is None:
            raise mistake("SLO006", "what is done to the server isn't said", "write do: stop, or do: freeze")
        if self.do is not None and (self.parameters or self.fault):
            raise mistake("SLO006", f"{self.do} has no parameters", "leave parameters and fault out")
        return self


class ExpectationDocument(Grammar):
    """The one alert that a fault brings about; or what the logs alone tell."""

    alert: Text | None = Field(None, examples=["SLOErrorBudgetBurn"])
    log: Text | None = Field(None, description="Words of the records that tell it; nothing pages", examples=["forged"])
    severity: Literal["critical", "warning"] = "critical"
    labels: dict[str, str] = Field({}, examples=[{"slo": "availability"}])

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.alert is None) == (self.log is None):
            raise mistake("SLO006", "an alert is expected, or records of the log", "write alert: …, or log: …")
        return self


class FaultDocument(Grammar):
    """A fault that people and stories may switch on."""

    switch: SwitchDocument
    on: Text = Field(description="What happens while it is on", examples=["60 % of the requests fail"])
    expects: ExpectationDocument
    slow: bool = Field(
        default=False, description="Its alert takes hours: told in simulated time; it must be steady meanwhile"
    )


class SystemDocument(Grammar):
    """The file."""

    version: Annotated[str, AfterValidator(_version)] = Field(examples=["sereno/v1"])
    system: Name = Field(examples=["transactions-api"])
    title: Text = Field(examples=["Transactions API"])
    specs: tuple[Name, ...] = Field(min_length=1, strict=False, description="Services of slo/specs that are about it")
    needs: tuple[Need, ...] = Field(
        (), strict=False, description="Servers of its own, healthy before its programs start"
    )
    programs: dict[Name, ProgramDocument] = Field(min_length=1)
    load: LoadDocument | None = None
    history: Text | dict[Text, Annotated[float, Field(gt=0)]] | None = Field(
        None, description="Events a minute of each service/slo in a simulated past, or the module that tells one"
    )
    wait_for_cause: tuple[Text, ...] = Field(
        (), strict=False, description="service/slo whose pages wait until what they depend on can have paged"
    )
    addresses: dict[Text, Text] = Field({})
    faults: dict[Name, FaultDocument] = Field({})

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        troubles = [*self._about_words(), *self._about_ports()]
        if troubles:
            # Each at its own place in the file: pydantic takes such an error's places over.
            details = [InitErrorDetails(type=what, loc=place, input=None) for place, what in troubles]
            raise ValidationError.from_exception_data("system", details)
        return self

    def ports(self) -> tuple[tuple[str, str], ...]:
        """Every program with each of its ports."""
        return tuple((name, port) for name, program in self.programs.items() for port in program.ports)

    def _about_words(self) -> Iterator[_Trouble]:
        for place, text, program in self._texts():
            known = known_words(self.ports(), program, self.needs)
            found = words_of(text)
            if found is None:
                yield place, mistake("SLO006", "a $ begins no word here", "write ${api}, or $$ for the sign itself")
            for word in found or ():
                if word not in known:
                    yield (
                        place,
                        mistake("SLO006", f"${{{word}}} means nothing", f"there are: {', '.join(sorted(known))}"),
                    )

    def _texts(self) -> Iterator[tuple[_Place, str, str | None]]:
        """Every text with words: its place, itself, and whose it is."""
        for name, program in self.programs.items():
            here: _Place = ("programs", name)
            yield from (((*here, "arguments", i), text, name) for i, text in enumerate(program.arguments))
            yield from (((*here, "environment", key), text, name) for key, text in program.environment.items())
            if program.healthy is not None:
                yield (*here, "healthy"), program.healthy, name
        if self.load is not None:
            yield from ((("load", "arguments", i), text, None) for i, text in enumerate(self.load.arguments))
        yield from ((("addresses", key), text, None) for key, text in self.addresses.items())

    def _about_ports(self) -> Iterator[_Trouble]:
        for name, program in self.programs.items():
            if program.scrape is not None and program.scrape.port not in program.ports:
                yield ("programs", name, "scrape", "port"), _no_port(program.scrape.port, program.ports)
        for name, fault in self.faults.items():
            yield from self._about_switch(("faults", name, "switch"), fault.switch)

    def _about_switch(self, place: _Place, switch: SwitchDocument) -> Iterator[_Trouble]:
        if switch.server is not None:
            if switch.server not in self.needs:
                known = ", ".join(self.needs) or "none"
                yield (*place, "server"), mistake("SLO006", f"{switch.server} is no server here", f"there are: {known}")
            return
        switched = self.programs.get(switch.program or "")
        if switched is None:
            known = ", ".join(self.programs)
            what = mistake("SLO006", f"{switch.program} is no program here", f"there are: {known}")
            yield (*place, "program"), what
        elif switch.do is None and switch.port not in switched.ports:
            yield place, _no_port(switch.port, switched.ports)


def _no_port(port: str, ports: Mapping[str, str]) -> PydanticCustomError:
    return mistake("SLO006", f"the program has no port {port}", f"there are: {', '.join(ports) or 'none'}")
