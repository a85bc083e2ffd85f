from meg.datasets.splits import Splits
from meg.datasets.summary import duplicates


class TestDuplicates:
    def test_across_splits_whatever_the_case_and_order(self):
        splits = Splits()
        splits.add("train", "1", stem="Which  one?", options=["a", "B"], answer=0)
        splits.add("test", "2", stem="which one?", options=["b", "A"], answer=1)
        splits.add("test", "3", stem="which one?", options=["b", "c"], answer=1)
        assert duplicates(splits) == {"train-test": [["1", "2"]]}

    def test_of_three_splits_name_all_of_them(self):
        splits = Splits()
        for split in ("train", "dev", "test"):
            splits.add(split, split, stem="which?", options=["a", "b"], answer=0)
        assert duplicates(splits) == {"train-dev-test": [["train", "dev", "test"]]}
