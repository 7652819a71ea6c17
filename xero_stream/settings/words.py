"""What is wrong with a value, in plain words: pydantic's own name its types and its classes. Pure."""

from typing import Any

_WORDS = {
    "bool_parsing": "must be true or false",
    "date_from_datetime_parsing": "must be a date such as 2026-11-30",
    "datetime_from_date_parsing": "must be a date and time such as 2026-11-30T12:00:00Z",
    "datetime_parsing": "must be a date and time such as 2026-11-30T12:00:00Z",
    "enum": "must be one of {expected}",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must name at least {min_length}",
}


def problem_of(problem: Any) -> str:
    """The end of a sentence that begins with the setting's name.

    Args:
        problem: one of pydantic's ``ValidationError.errors()``.
    """
    context = problem.get("ctx", {})
    words = _WORDS.get(problem["type"])
    if words is not None:
        return words.format_map({name: _plain(value) for name, value in context.items()})
    message = str(context["error"]) if "error" in context else str(problem["msg"])
    return message[:1].lower() + message[1:] if message.startswith("Input ") else message


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("'", "").replace(" or ", ", ")
