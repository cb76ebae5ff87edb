/** Light, and readable in print. */
export const reportStyle = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 40px 20px 60px; }
header h1 { margin: 0; font-size: 34px; letter-spacing: -0.02em; }
header p { margin: 4px 0 24px; color: #52606d; font-size: 18px; }
section { background: #fff; border: 1px solid #e4e7eb; border-radius: 12px; padding: 20px 24px 24px; margin: 0 0 20px; }
h2 { margin: 0 0 8px; font-size: 19px; }
h2 small { color: #7b8794; font-size: 14px; font-weight: 400; margin-left: 6px; }
h3 { margin: 14px 0 4px; font-size: 15px; }
p { margin: 0 0 8px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px; background: none; border: 0; padding: 0; }
.card { background: #fff; border: 1px solid #e4e7eb; border-radius: 12px; padding: 16px 18px; }
.card b { display: block; font-size: 23px; white-space: nowrap; letter-spacing: -0.01em; }
.card span { color: #52606d; font-size: 14px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 6px; padding: 0; font-size: 14px; color: #52606d; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.grid line { stroke: #e4e7eb; }
svg text { fill: #52606d; }
svg text.on { fill: #fff; text-anchor: middle; font-weight: 600; }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
.fit { fill: none; stroke: #d9480f; stroke-width: 2; stroke-dasharray: 6 5; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: #52606d; border-bottom: 2px solid #e4e7eb; padding: 6px 8px; white-space: nowrap; }
td { text-align: right; border-bottom: 1px solid #eef0f2; padding: 6px 8px; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
footer { color: #7b8794; font-size: 13px; }
@media print { body { background: #fff; } section, .card { break-inside: avoid; } }
`;
