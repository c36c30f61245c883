"""Time as people keep it: zones, calendar windows, and time that doesn't count."""

from sereno_slo.calendars.schedules import DAYS_OF_WEEK, Days, Exclusion, Once, Recurring, Schedule, is_excluded
from sereno_slo.calendars.windows import CalendarUnit, CalendarWindow
from sereno_slo.calendars.zones import DAY_SECONDS, Change, NoRule, NoSuchZone, Zone, zone_info, zone_names, zone_rule

__all__ = [
    "DAYS_OF_WEEK",
    "DAY_SECONDS",
    "CalendarUnit",
    "CalendarWindow",
    "Change",
    "Days",
    "Exclusion",
    "NoRule",
    "NoSuchZone",
    "Once",
    "Recurring",
    "Schedule",
    "Zone",
    "is_excluded",
    "zone_info",
    "zone_names",
    "zone_rule",
]
