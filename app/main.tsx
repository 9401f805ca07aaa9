import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './ui/styles/index.css';
import { attempt, boot, keepPage } from './store/actions';
import { exposeApi } from './store/api';
import { App } from './ui/App';

exposeApi();
attempt(boot());
keepPage();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
