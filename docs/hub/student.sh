#!/bin/sh
# Starts a student's own server, as the student, in the student's home.
set -eu

# The hub only announces a memory limit. This enforces it, for the server and for each notebook by itself: what asks for
# more gets Python's MemoryError, and the other students notice nothing.
ulimit -d "$((MEM_LIMIT / 1024))"

# So many processes and threads for all of a student's notebooks together: a loop that starts processes ends there. Shells
# call the limit -u or -p.
if [ -n "${COURSE_PROCESSES:-}" ]; then
    if (ulimit -u "$COURSE_PROCESSES") 2>/dev/null; then ulimit -u "$COURSE_PROCESSES"; else ulimit -p "$COURSE_PROCESSES"; fi
fi

umask 077  # what a student writes is for nobody else; on some systems a home folder is open for reading

# What is in the folder already is the student's work and stays; what is handed out is trusted, nothing else.
"$COURSE_PYTHON" -m tutorial_lib.course.unpack "$HOME/course" --trust ${COURSE_LESSONS:+--lessons "$COURSE_LESSONS"}

exec "$COURSE_PYTHON" -m jupyterhub.singleuser "$@"
