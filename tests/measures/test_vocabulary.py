from cockpit.measures.vocabulary import OTHER, Vocabulary


def test_the_first_words_are_kept_and_what_comes_later_is_other() -> None:
    vocabulary = Vocabulary(2, always=["purchase"])
    assert [vocabulary.word(word) for word in ("a", "b", "c", "a", "purchase")] == ["a", "b", OTHER, "a", "purchase"]


def test_only_the_words_beyond_are_others_and_null_is_no_word() -> None:
    vocabulary = Vocabulary(1)
    assert vocabulary.others(["vip", None, "x", "y", "vip"]) == ["x", "y"]
