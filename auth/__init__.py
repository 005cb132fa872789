"""Who is asking and what they may see. Knows no planner, no connector and no storage."""
