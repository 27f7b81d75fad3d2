"""Small files of the published shapes, written here: nothing is downloaded."""

import gzip
import json

HUMANEVAL = [
    {
        "task_id": "HumanEval/1000",
        "prompt": "from typing import List\n\n\ndef largest_gap(numbers: List[float]) -> float:\n"
        '    """ Largest difference of neighbours in sorted order.\n    >>> largest_gap([1.0, 4.0, 2.0])\n    2.0\n'
        '    >>> largest_gap([])\n    0.0\n    """\n',
        "entry_point": "largest_gap",
        "canonical_solution": "    numbers = sorted(numbers)\n"
        "    return max((b - a for a, b in zip(numbers, numbers[1:])), default=0.0)\n",
        "test": "\n\nMETADATA = {\n    'author': 'us',\n    'dataset': 'test'\n}\n\n\ndef check(candidate):\n"
        "    assert candidate([1.0, 4.0, 2.0]) == 2.0\n    assert abs(candidate([0.1, 0.4]) - 0.3) < 1e-6\n"
        "    assert candidate([5.0]) == 0.0, 'one'\n    assert True, 'this prints if it fails'\n"
        "    assert largest_gap([1, 2]) + candidate([1, 3]) == 3\n\n",
    },
    {
        "task_id": "HumanEval/1001",
        "prompt": "def encode(text: str) -> str:\n    return text[::-1]\n\n\n"
        'def decode(text: str) -> str:\n    """ Undo encode. """\n',
        "entry_point": "decode",
        "canonical_solution": "    return text[::-1]\n",
        "test": "def check(candidate):\n    from random import randint, seed\n    seed(1)\n"
        "    assert candidate('ab') == 'ba'\n    for _ in range(20):\n"
        "        text = ''.join(chr(97 + randint(0, 25)) for _ in range(10))\n"
        "        assert candidate(encode(text)) == text == decode(decode(text))\n",
    },
]
HUMANEVAL_PLUS = [
    {
        "task_id": "HumanEval/1000",
        "prompt": HUMANEVAL[0]["prompt"],
        "entry_point": "largest_gap",
        "canonical_solution": HUMANEVAL[0]["canonical_solution"],
        "contract": "\n    assert all(isinstance(x, float) for x in numbers) # $_CONTRACT_$\n",
        "base_input": [[[1.0, 4.0, 2.0]], [[0.1, 0.4]]],
        "plus_input": [[[3.5, -1.0, 9.25, 0.0]], [[1e300, -1e300]]],
        "atol": 0,
    }
]
MBPP = [
    {
        "text": "Write a function to find the elements that two tuples share.",
        "code": "def helper(x):\n    return set(x)\ndef shared(a, b):\n    return tuple(sorted(helper(a) & helper(b)))",
        "task_id": 2,
        "test_setup_code": "",
        "test_list": ["assert shared((3, 4, 5), (5, 4)) == (4, 5)", "assert set(shared((1, 2), (2,))) == set([2])"],
        "challenge_test_list": ["assert shared((), (1,)) == ()"],
    },
    {
        "text": "Write a function to find the area of a circle.",
        "code": "import math\r\ndef area(r):\r\n    return math.pi * r * r",
        "task_id": 3,
        "test_setup_code": "import math",
        "test_list": ["assert math.isclose(area(2), 12.566370614, rel_tol=0.001)", "assert area(0) == 0"],
        "challenge_test_list": [],
    },
]
MBPP_SANITIZED = [
    {
        "source_file": "Benchmark Questions Verification V2.ipynb",
        "task_id": 4,
        "prompt": "Write a function to double a number.",
        "code": "def double(x):\n  return 2 * x",
        "test_imports": [],
        "test_list": ["assert double(2)==4", "assert double(-1)==-2", "assert not double(0)"],
    }
]
MBPP_PLUS = [
    {
        "task_id": "Mbpp/2",
        "prompt": '"""\nWrite a function to find shared ones.\nassert set(shared((3, 4),(4, 5))) == set((4,))\n"""\n',
        "entry_point": "shared",
        "canonical_solution": "\ndef shared(a, b):\n  assert isinstance(a, tuple)\n  return tuple(set(a) & set(b))\n",
        "contract": "",
        "assertion": "\nassert set(shared((3, 4),(4, 5))) == set((4,))\n",
        "base_input": [[[3, 4], [4, 5]], [[1], [2]]],
        "plus_input": [[[], []], [[9, 8], [8]]],
        "atol": 0,
    }
]
LEETCODE = [
    {
        "task_id": "two-sum",
        "question_id": 1,
        "difficulty": "Easy",
        "problem_description": "Given integers nums and a target, return the indices of two that add up to it.",
        "starter_code": "class Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n        ",
        "prompt": "from typing import *\nfrom math import inf\n",
        "entry_point": "Solution().twoSum",
        "completion": "class Solution:\n    def twoSum(self, nums: List[int], target: int) -> List[int]:\n"
        "        d = {}\n        for i, x in enumerate(nums):\n            if (y := target - x) in d:\n"
        "                return [d[y], i]\n"
        "            d[x] = i\n",
        "query": "Solve: two sum",
        "response": "...",
        "input_output": [{"input": "nums = [3,3], target = 6", "output": "[0, 1]"}],
        "test": "def check(candidate):\n    assert candidate(nums = [2,7,11,15],target = 9) == [0, 1]\n"
        "    assert candidate(nums = [3,2,4],target = 6) == [1, 2]\n"
        "    assert candidate(nums = [3,3],target = 6) == [0, 1]\n"
        "    assert candidate(nums = [1,5,9],target = 14) == [1, 2]\n",
    }
]
LISTS = {
    "task_id": "reverse-list",
    "entry_point": "Solution().reverse",
    "starter_code": "class Solution:\n    def reverse(self, head: Optional[ListNode]) -> Optional[ListNode]:\n        ",
    "prompt": "from typing import *\nclass ListNode:\n    def __init__(self, val=0, next=None):\n"
    "        self.val = val\n        self.next = next\ndef list_node(values):\n"
    "    head = None\n    for value in reversed(values):\n"
    "        head = ListNode(value, head)\n    return head\ndef is_same_list(p, q):\n    while p and q:\n"
    "        if p.val != q.val:\n            return False\n        p, q = p.next, q.next\n    return not p and not q\n",
    "query": "Reverse a linked list.",
    "completion": "class Solution:\n    def reverse(self, head):\n        back = None\n        while head:\n"
    "            head.next, back, head = back, head, head.next\n        return back\n",
    "test": "def check(candidate):\n"
    "    assert is_same_list(candidate(head = list_node([1,2,3])), list_node([3,2,1]))\n"
    "    assert is_same_list(candidate(head = list_node([])), list_node([]))\n"
    "    assert is_same_list(candidate(head = list_node([7])), list_node([7]))\n"
    "    assert is_same_list(candidate(head = list_node(list(range(900)))), list_node(list(range(899, -1, -1))))\n",
}
LEETCODE.append(LISTS)
SETS = {
    "humaneval": HUMANEVAL,
    "humaneval+": HUMANEVAL_PLUS,
    "mbpp": MBPP,
    "mbpp+": MBPP_PLUS,
    "leetcode": LEETCODE,
}


def write(directory, rows, name="set.jsonl"):
    path = directory / name
    text = json.dumps(rows) if ".json" in name and ".jsonl" not in name else "".join(json.dumps(r) + "\n" for r in rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path
