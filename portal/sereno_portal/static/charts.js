// Draws `<figure class="chart" data-chart="/api/v1/…">`: the JSON there is sereno_portal.charts.Chart.
"use strict";
