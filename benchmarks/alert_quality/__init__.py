"""Do pages come for what is worth a page, and for nothing else? Policies judged on labelled incidents.

A scenario is forty simulated days of one service: ten of history, thirty that are judged. Incidents are injected with a
known beginning, end and share of failing events; everything else that fails (the baseline, single failures, retries of
one client, blips of a minute or two) is no incident. Two labels say what an incident is worth, and neither knows a
policy:

**budget**: a page, when within some hour at least 2 % of the budget of 30 days was really spent by the incident's own
failures, or within some six hours at least 5 % (a ticket: 10 % within a day or three days), and these are at least ten
failed events. The budget is the error budget ratio times the events that the true traffic brings in 30 days, bots left
out.

**felt**: a page, when whoever came failed noticeably, however few came: for 15 minutes at least a fifth of the events
failed (or, where the objective allows so much, as large a share as the fast tier's burn rate), and at least ten did.

An outage (80 % of the events for at least five minutes, and ten failures) is worth a page by both.

No border is sharp: an incident of 75 to 133 % of a share, of five to nine failures, of half to all of the time or of
the share of failing events, is *grey*. It is neither demanded, nor is a page for it wrong; the tables count them.

A page is a new notification: the critical alerts of an SLO are one group, as in alerting/alertmanager, and are told
again when the group had been resolved for over five minutes. A page is right when it begins within an incident that is
worth one (or grey), or within ten minutes after its end; an incident is detected when a page begins so, or one that
began earlier still goes on.
"""
