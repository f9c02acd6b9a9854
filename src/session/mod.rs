//! The program minus its screen: settings, runs, history, bookmarks, undo; actions in, effects out.
