# Only a comment.

