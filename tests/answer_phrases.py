"""What models say around their code, in several natural languages and in their own marks."""

WORDS_BEFORE = (
    "Here is the completed code:",
    "The call should be:",
    "Answer:",
    "Sure! You can complete it like this. It keeps the style of the file:",
    "Based on the context, the gap is most likely filled as follows.",
    "Hier ist der fehlende Code:",
    "Voici le code :",
    "Aquí tienes el código:",
    "Ecco il codice mancante:",
    "Aqui está o código:",
    "Hier is de ontbrekende code:",
    "Вот недостающий код:",
    "以下是补全的代码：",  # noqa: RUF001 - as it is written there
    "コードは次のとおりです。",
)
WORDS_AFTER = (
    "This keeps the behaviour of the surrounding code.",
    "Explanation: the value is handed on unchanged.",
    "I hope this helps! Let me know if you need anything else.",
    "Damit ist die Lücke gefüllt.",
    "Note that the existing style of the file was followed.",
)
REFUSALS = (
    "I'm sorry, but I can't assist with that.",
    "I'm unable to help with that.",
    "No completion is needed here.",
    "The code is already complete.",
    "I cannot complete this code without more context. Could you tell me more?",
    "There is nothing to insert at this position.",
    "Es tut mir leid, dabei kann ich nicht helfen.",
    "Je suis désolé, je ne peux pas vous aider.",
    "As an AI language model, I don't have access to the rest of the file.",
)
THOUGHT = "The user wants the code in the gap.\n\nIt needs a value; a list would be wrong."
THOUGHTS = (
    ("<think>\n", "\n</think>\n\n"),
    ("<think>", "</think>"),
    ("", "\n</think>\n\n"),
    ("<thinking>\n", "\n</thinking>\n"),
    ("", "\n</thinking>\n\n"),
    ("<thought>\n", "\n</thought>\n"),
    ("<reasoning>\n", "\n</reasoning>\n\n"),
    ("[THINK]", "[/THINK]"),
    ("", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<seed:think>", "</seed:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>\n", "\n<|end_of_thought|>\n\n"),
    (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
)
END_TOKENS = (
    *("<|endoftext|>", "<|im_end|>", "</s>", "<|eot_id|>", "<|end_of_text|>", "<|fim_pad|>"),
    *("<|file_sep|>", "<|file_separator|>", "<end_of_turn>", "<eos>", "<EOT>", " <EOT>", "<|EOT|>"),
    *("<｜end▁of▁sentence｜>", " [/INST]", "[SUFFIX]", "[PREFIX]", "<|return|>", "<|end|>"),  # noqa: RUF001
    *("<|user|>", "<|assistant|>", "<|eom_id|>", "<|END_OF_TURN_TOKEN|>", "<fim_suffix>"),
    *("<fim-suffix>", "<|endofmask|>", "<|repo_name|>", "<file_sep>", "<|endofprompt|>"),
    *("<|fim_prefix|>", "<｜fim▁hole｜>", "<|cursor|>", "<|im_start|>user\nAnd", "<reponame>"),  # noqa: RUF001
)
FIRST_TOKENS = (
    *("<|fim_middle|>", "<fim_middle>", " <MID>", "[MIDDLE]", "<s>", "<bos>", "<|begin_of_text|>"),
    *("<｜fim▁end｜>", "<｜begin▁of▁sentence｜>", "<|im_start|>assistant\n", "<fim-middle>"),  # noqa: RUF001
    *("<start_of_turn>model\n", "<|start_header_id|>assistant<|end_header_id|>\n\n", "[/INST] "),
    *("<|assistant|>\n", "<|startoftext|>", "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"),
)
