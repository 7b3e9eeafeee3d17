"""A report as text: for people, for editors, for CI. One file a format; each is a pure function of report and view."""
