# Letters. Each kind has a subject, a text (a blank line ends a paragraph) and, if it brings a link,
# what the button says.

mail-footer = This letter was sent by { $host }. Nobody reads replies to it.
mail-or-copy = If the button does not work, copy this address into your browser:

mail-test-subject = A test letter from { $host }
mail-test-text =
    This letter was sent to find out whether letters from { $host } arrive. They do.

    There is nothing for you to do.
mail-test-link = Open { $host }
