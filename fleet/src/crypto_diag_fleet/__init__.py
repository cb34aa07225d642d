"""What very many crypto-diag reports say together.

Reports become rows (`crypto-diag rows`), SQL joins them into incidents and counts, and the reports of an incident are judged together
(`crypto-diag judge`). No conclusion is drawn here: both filters are the project's own, and SQL only joins and counts what they say.
"""
