"""Changes that make diagnostics go away, with the format of everything else kept."""

from analyzer.fixes.apply import apply_fixes as apply_fixes
from analyzer.fixes.registry import fix_for as fix_for
from analyzer.fixes.registry import with_fixes as with_fixes
from analyzer.fixes.suppress import suppress as suppress
