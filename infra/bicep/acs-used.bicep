// What is read from, and written down about, the Azure Communication Services resource, made here or brought.
param name string
param workspaceId string

resource acs 'Microsoft.Communication/communicationServices@2025-09-01' existing = {
  name: name
}

// The requests to Call Automation and the summaries of calls; no category that holds what was said.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: acs
  name: 'switchboard'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'CallAutomationOperational', enabled: true }
      { category: 'CallAutomationMediaSummary', enabled: true }
      { category: 'CallSummary', enabled: true }
      { category: 'CallDiagnostics', enabled: true }
    ]
  }
}

output id string = acs.id
output endpoint string = 'https://${acs.properties.hostName}'
output immutableId string = acs.properties.immutableResourceId
output principalId string = acs.?identity.?principalId ?? '' // a brought one may have no identity
