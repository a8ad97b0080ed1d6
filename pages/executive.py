from cockpit.ui.announcement import announce

announce("executive")
