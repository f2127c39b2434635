"""How a test uploads a file on the data page and saves what it holds."""

PAIRS = b"sentence1,sentence2,label\nprinter down,printer offline,1\nvpn slow,mail gone,0\n"


def uploaded(app, content, name="mine.csv"):
    app.file_uploader[0].upload(name, content).run()
    assert not app.exception
    return app


def save_button(app):
    return app.button(key="data.save")


def saved(app):
    """Press save and run once more: AppTest knows the widgets after a `st.rerun` only then."""
    save_button(app).click().run()
    assert not app.exception and not app.error
    return app.run()


def labelled(elements, label):
    """Return the one widget whose label begins with `label`."""
    (found,) = [element for element in elements if element.label.startswith(label)]
    return found
