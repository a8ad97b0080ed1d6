"""The definitions, by group. Each KPI has a test worked by hand, and its words in `cockpit/i18n` under `kpi.<id>`."""
