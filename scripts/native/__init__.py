"""What scripts/compile runs: makes the compiled twin of proxy/ and filters/ that tap/native lets run.

    main → build ──┬── translate    a copy of the sources becomes C, by mypyc in a process of its own
                   └── C compiler   the C files become one library, on all cores; a module written in C is one by itself
                → .native/CHECKSUM/

Nothing is written beside the sources, and a twin is put in place as a whole or not at all.
"""
