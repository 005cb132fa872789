"""From a source that nobody has described yet to a manifest: what is there, what it probably means, and the text that says so.

    tables, openapi, graphs   a source of one kind as plain ``Found`` (the only modules that contact anything)
    terms, evidence           what names mean in the province, and what values look like
    propose                   which canonical field each column probably is, and what becomes of the rest
    write                     the manifest's text

Values are read to tell what a column holds, and are never written down.
"""
