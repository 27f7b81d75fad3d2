"""The sentence that stands wherever a person meets a plan."""

NOTICE = "Research tool: not for clinical use."
