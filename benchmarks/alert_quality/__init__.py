"""Do pages come for what is worth a page, and for nothing else? Policies judged on labelled incidents.

A scenario is 53 simulated days of one service: 23 of history, thirty that are judged. Incidents are injected with a
known beginning, end and share of failing events; everything else that fails (the baseline, retries of one client) is no
incident. Two labels say what an incident is worth, and neither knows a policy:

**budget**: a page, when within some hour at least 2 % of the budget of 30 days was really spent by the incident's own
failures, or within some six hours at least 5 % (a ticket: 10 % within a day or three days), and these are at least ten
failed events. The budget is the error budget ratio times the events that the true traffic brings in 30 days, taken from
the week around the incident, bots left out. An outage that spends less is grey.

**felt**: a page, when whoever came failed noticeably, however few came: of an hour's events at least a twentieth (or,
where the objective allows so much, fifteen times what it allows, at most 80 %), and at least ten did. Or an outage:
80 % of the events for five minutes, and ten failures within.

No border is sharp: what reaches two thirds of it, but not one and a half times, is *grey*: neither demanded, nor is a
page for it wrong; so is whatever looks like an outage for two minutes (half of the events), since nobody knows when it
will end. The tables count them apart.

A page is a new notification: the critical alerts of an SLO are one group, as in alerting/alertmanager, and are told
again when the group had been resolved for over five minutes. A page is right when it begins within an incident that is
worth one, or within ten minutes after its end; an incident is detected when a page begins so, or one that began earlier
still goes on. Precision is the right ones among the right and the wrong ones.
"""
