// Where Azure Communication Services says that the phone rings. Its subscription is incoming-call.bicep: Event Grid
// accepts it only when the function that it names has been deployed.
param token string
param tags object
param acsId string
param workspaceId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${token}'
  location: 'global' // as its source
  tags: tags
  identity: { type: 'SystemAssigned' } // writes dead letters
  properties: {
    source: acsId
    topicType: 'Microsoft.Communication.CommunicationServices'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: topic
  name: 'switchboard'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'DeliveryFailures', enabled: true }
    ]
  }
}

output id string = topic.id
output name string = topic.name
output principalId string = topic.identity.principalId
