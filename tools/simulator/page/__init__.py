"""The simulator in a browser: one page that draws the simulation's state, and a small API that the command line uses, too.

server    PageServer: starts it on a loopback port, and ends it at once
site      the addresses of the page and of the API
acts      which methods of the simulation may be called over HTTP, and how their arguments are read
guards    who may call: this page and this machine's command line, never another web site
stream    the state as it changes, to every open page
static/   the page itself: HTML, CSS and JavaScript as they are, without a build and with nothing from elsewhere
"""
