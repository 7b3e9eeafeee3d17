-- What a user does in Neovim, with the page's configuration: `-c "luafile neovim.lua"`. Writes what came of it to $OUTCOME.

local DEADLINE = 30000
local outcome = {}

local function finish()
  local file = assert(io.open(vim.env.OUTCOME, "w"))
  file:write(vim.fn.json_encode(outcome))
  file:close()
  vim.cmd("qall!")
end

local function codes(buffer)
  local found = {}
  for _, each in ipairs(vim.diagnostic.get(buffer)) do
    table.insert(found, each.code or each.user_data.lsp.code)
  end
  table.sort(found)
  return table.concat(found, " ")
end

local function wait_for(buffer, wanted)
  if not vim.wait(DEADLINE, function() return codes(buffer) == wanted end, 20) then
    outcome.stuck = "waited for '" .. wanted .. "', there is '" .. codes(buffer) .. "'"
    finish()
  end
end

local function at(buffer, text)
  for row, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then
      return { line = row - 1, character = column - 1 }
    end
  end
  error("there is no " .. text)
end

local function ask(buffer, method, params)
  params.textDocument = { uri = vim.uri_from_bufnr(buffer) }
  for _, answer in pairs(vim.lsp.buf_request_sync(buffer, method, params, DEADLINE) or {}) do
    if answer.result then
      return answer.result
    end
  end
  error(method .. " has no answer")
end

local ok, problem = pcall(function()
  local job = vim.api.nvim_get_current_buf()
  wait_for(job, "TRG101 TRG107 TRG202")
  outcome.found = codes(job)

  local place = at(job, "time.sleep")
  local range = { start = place, ["end"] = place }
  for _, action in ipairs(ask(job, "textDocument/codeAction", { range = range, context = { diagnostics = {} } })) do
    if action.isPreferred then
      outcome.action = action.title
      vim.lsp.util.apply_workspace_edit(action.edit, "utf-16")
    end
  end
  wait_for(job, "TRG101 TRG202")
  outcome.text = table.concat(vim.api.nvim_buf_get_lines(job, 0, -1, false), "\n")

  outcome.hover = ask(job, "textDocument/hover", { position = at(job, "rate()") }).contents.value
  local effect = ask(job, "textDocument/implementation", { position = at(job, "rate()") })
  outcome.effect = effect.uri or effect[1].uri or effect[1].targetUri
  outcome.hints = #ask(job, "textDocument/inlayHint", { range = { start = { line = 0, character = 0 }, ["end"] = { line = 99, character = 0 } } })

  vim.cmd("edit rates.py")
  local helper = vim.api.nvim_get_current_buf()
  vim.api.nvim_buf_set_lines(helper, 0, -1, false, { "def rate():", "    return 1.5" })
  wait_for(job, "TRG202")
  outcome.saved = vim.fn.readfile("rates.py")[1]
end)
if not ok then
  outcome.problem = tostring(problem)
end
finish()
