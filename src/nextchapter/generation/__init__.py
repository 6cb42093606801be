"""Writing: how the next token is drawn, how a chapter is headed, begun and ended."""
