#!/bin/sh
# Starts a student's own server, as the student, in the student's home.
set -eu

# The hub only announces a memory limit. This enforces it, for the server and for each notebook by itself: what asks for
# more gets Python's MemoryError, and the other students notice nothing.
ulimit -d "$((MEM_LIMIT / 1024))"

umask 077  # what a student writes is for nobody else; on some systems a home folder is open for reading

first_time=true
if [ -d "$HOME/course" ]; then first_time=false; fi
# What is in the folder already is the student's work and stays.
"$COURSE_PYTHON" -m tutorial_lib.course.unpack "$HOME/course" ${COURSE_LESSONS:+--lessons "$COURSE_LESSONS"}
# Of a notebook that Jupyter does not trust it cuts the HTML down (claim cards), until its cells are run.
if $first_time; then "$COURSE_PYTHON" -m nbformat.sign "$HOME"/course/*.ipynb; fi

exec "$COURSE_PYTHON" -m jupyterhub.singleuser "$@"
